# A service that is ready, and with each SIGUSR1 sends COUNT messages with a STATUS as fast as they are taken. Appends
# "BEGUN ENDED" to FILE for each flood, CLOCK_MONOTONIC in nanoseconds.   perl graceful-flood.pl COUNT FILE
use strict;
use warnings;
use Socket;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($count, $file) = @ARGV;
my $wanted = 0;
$SIG{USR1} = sub { $wanted = 1 };

sub nanoseconds { return sprintf '%.0f', clock_gettime(CLOCK_MONOTONIC) * 1e9 }

socket(my $out, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
my $to = sockaddr_un($ENV{NOTIFY_SOCKET});
send($out, 'READY=1', 0, $to) or die "send: $!";
while (1) {
  select undef, undef, undef, 3600 unless $wanted;
  next unless $wanted;
  $wanted = 0;
  my $begun = nanoseconds();
  for my $number (1 .. $count) { send($out, "STATUS=$number", 0, $to) or die "send: $!" }
  my $ended = nanoseconds();
  open(my $log, '>>', $file) or die "$file: $!";
  syswrite $log, "$begun $ended\n";
  close $log;
}
