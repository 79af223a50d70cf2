# Says what a program finds that is started with sockets (sd_listen_fds(3)): the same for whoever starts it. Writes it to the
# file of its first argument, then sleeps; with `accept` after that it serves each connection of its first socket with its pid.
use strict;
use warnings;
use Socket;
use Fcntl;

my ($path, $then) = @ARGV;
my @said = (
    'pid ' . (($ENV{LISTEN_PID} // '') eq $$ ? 'mine' : ($ENV{LISTEN_PID} // 'none')),
    'fds ' . ($ENV{LISTEN_FDS} // 'none'),
    'names ' . ($ENV{LISTEN_FDNAMES} // 'none'),
);
my $count = $ENV{LISTEN_FDS} // 0;
my @sockets;
for my $fd (3 .. 2 + $count) {
    open(my $socket, '+<&=', $fd) or die "$fd: $!";
    push @sockets, $socket;
    my $type = { SOCK_STREAM, 'stream', SOCK_DGRAM, 'datagram' }->{ unpack('i', getsockopt($socket, SOL_SOCKET, SO_TYPE)) };
    my $listens = unpack('i', getsockopt($socket, SOL_SOCKET, 30)) ? ' listens' : '';
    my $blocks = fcntl($socket, F_GETFL, 0) & O_NONBLOCK ? '' : ' blocks';
    my $name = getsockname($socket);
    my $family = sockaddr_family($name);
    my $at =
        $family == AF_UNIX  ? (unpack_sockaddr_un($name) =~ s/^\0/@/r)
      : $family == AF_INET6 ? join('|', Socket::inet_ntop(AF_INET6, (unpack_sockaddr_in6($name))[1]), (unpack_sockaddr_in6($name))[0])
      :                       join('|', inet_ntoa((unpack_sockaddr_in($name))[1]), (unpack_sockaddr_in($name))[0]);
    push @said, "$fd $type$listens$blocks $at";
}
open(my $file, '>', "$path.new") or die "$path: $!";
print $file "$_\n" for @said;
close($file);
rename("$path.new", $path);
if (($then // '') eq 'accept') {
    while (accept(my $client, $sockets[0])) {
        print $client "$$\n";
        close($client);
    }
}
sleep 600;
