# Listens on so many addresses of 127.0.0.0/8, from 127.0.0.FIRST on, all with one port, and takes no connection: the queue of
# each is full, so that the kernel answers no further SYN, as a black hole. Says the port. A line on stdin: takes all from now on.
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(SOCK_STREAM inet_aton pack_sockaddr_in);

my ($first, $count) = @ARGV;
my (@listeners, @fillers);
my $port = 0;
for my $i (0 .. $count - 1) {
  my $address = '127.0.0.' . ($first + $i);
  my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => 'tcp') or die "$address: $!";
  listen($listener, 0) or die "listen: $!";
  $port = $listener->sockport;
  push @listeners, $listener;
  for (1 .. 2) {
    my $filler = IO::Socket::INET->new(Proto => 'tcp', Type => SOCK_STREAM, Blocking => 0) or die "filler: $!";
    connect($filler, pack_sockaddr_in($port, inet_aton($address)));
    push @fillers, $filler;
  }
}
select(undef, undef, undef, 0.1);
$| = 1;
print "$port\n";
defined(my $line = <STDIN>) or exit 0;
while (1) {
  my $read = '';
  vec($read, fileno($_), 1) = 1 for @listeners, \*STDIN;
  select($read, undef, undef, undef);
  exit 0 if vec($read, fileno(STDIN), 1) && !defined <STDIN>;
  for my $listener (@listeners) {
    push @fillers, scalar $listener->accept if vec($read, fileno($listener), 1);
  }
}
