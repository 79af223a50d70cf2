#!/usr/bin/perl
# Stands in for a keeper, as lib/check.sh sees one: takes the lock, renews its stamp, and notes that it was started.
#   stand-in-keeper.pl RUNTIME STARTS [no-stamp]
# Perl, because flock(1) leaves the lock with a process that has gone, and Node cannot lock.
use strict;
use warnings;
use Fcntl qw(:flock O_RDWR O_CREAT O_WRONLY);

my ( $runtime, $starts, $stamps ) = @ARGV;
mkdir $runtime;
sysopen my $lock, "$runtime/lock", O_RDWR | O_CREAT or die "lock: $!";
flock $lock, LOCK_EX | LOCK_NB or do { note('refused'); exit 1 };
note( 'started by ' . ( $ENV{UPKEEP_OWNER} // 'nobody' ) );
while (1) {
    if ( ( $stamps // '' ) ne 'no-stamp' ) {
        open my $uptime, '<', '/proc/uptime' or die;
        my ($seconds) = split ' ', <$uptime>;
        sysopen my $stamp, "$runtime/progress", O_WRONLY | O_CREAT or die;
        syswrite $stamp, "$seconds $$\n";
    }
    select undef, undef, undef, 0.2;
}

sub note {
    open my $file, '>>', $starts or die;
    syswrite $file, "$$ $_[0]\n";
}
