# A service without a client of any library: it opens the hand-over channel of docs/graceful.md, says READY=1 and reads on until it is told
# `accept`. Appends "GENERATION SAID HEARD" to the file that it was given: CLOCK_MONOTONIC in nanoseconds just before
# READY=1 was sent, and when the word had come. With a second argument READY=1 goes over the channel, else by datagram.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($file, $way) = @ARGV;
$SIG{TERM} = sub { exit 0 };

sub nanoseconds { return sprintf '%.0f', clock_gettime(CLOCK_MONOTONIC) * 1e9 }

sub say_ready {
  my ($channel) = @_;
  if (defined $way) {
    syswrite $channel, qq({"say":"notify","text":"READY=1"}\n);
    return;
  }
  socket(my $out, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
  send($out, 'READY=1', 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die "send: $!";
}

socket(my $channel, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($channel, sockaddr_un($ENV{UPKEEP_SOCKET})) or die "connect: $!";
syswrite $channel, "GET /v1/services/$ENV{UPKEEP_SERVICE}/handover HTTP/1.1\r\nHost: upkeep\r\nConnection: Upgrade\r\nUpgrade: upkeep-handover/1\r\n\r\n";
my $heard = '';
sysread($channel, $heard, 4096, length $heard) or die 'no channel' until $heard =~ /\r\n\r\n/;
syswrite $channel, qq({"say":"hello","state":false}\n);
select undef, undef, undef, 0.2;    # the keeper has done with this start
my $said = nanoseconds();
say_ready($channel);
if ($ENV{UPKEEP_SUCCEEDS}) {
  sysread($channel, $heard, 4096, length $heard) or exit 1 until $heard =~ /"accept"/;
  my $accepted = nanoseconds();
  open(my $log, '>>', $file) or die "$file: $!";
  syswrite $log, "$ENV{UPKEEP_GENERATION} $said $accepted\n";
  close $log;
}
# A signal that comes just before a call is heard only after it: the word says the same.
sysread($channel, $heard, 4096) or exit 0 until $heard =~ /"drain"/;
