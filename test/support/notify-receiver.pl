# Listens where NOTIFY_SOCKET points and prints each datagram as one line, its own newlines as spaces.
use strict; use IO::Socket::UNIX; use Socket qw(SOCK_DGRAM); $| = 1;
unlink $ARGV[0];
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$ARGV[0]: $!";
print "listening\n";
while (defined recv($socket, my $text, 4096, 0)) { $text =~ tr/\n/ /; print "$text\n"; }
