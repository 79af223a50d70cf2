#!/usr/bin/perl
# PID 1 of the sandbox: finishes the machine (its own /proc, /sys, cgroups, loopback and name),
# runs the command, reaps orphans as an init does, and ends with the command's exit code. When it
# ends the kernel kills whatever is left. Perl, because Debian always has it and it can wait for
# every child, which Node cannot.
use strict;
use warnings;

my ( $project, @command ) = @ARGV;

sub must {
    system(@_) == 0 or die "sandbox: '@_' was refused\n";
}

must(qw(mount -t proc proc /proc));
must(qw(mount --bind /proc/sys /proc/sys));
must( 'mount', '-o', 'remount,bind,ro', '/proc/sys' );
must(qw(mount --bind /dev/null /proc/sysrq-trigger)) if -e '/proc/sysrq-trigger';
must( 'mount', '-t', 'sysfs', '-o', 'ro,nosuid,nodev,noexec', 'sysfs', '/sys' );
# tracefs is one for the whole machine: it stays unmounted and, /sys being read-only, so it remains.
system('mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null') == 0
  or warn "sandbox: no cgroup2 here, going on without\n";
must( 'mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run' );    # as after a boot: init scripts make what they need
mkdir '/run/lock' and chmod 01777, '/run/lock';
must(qw(hostname web1));
open my $hosts, '>', '/etc/hosts' or die "sandbox: /etc/hosts: $!\n";
print $hosts "127.0.0.1 localhost web1\n::1 localhost\n";
close $hosts;
open my $name, '>', '/etc/hostname' or die "sandbox: /etc/hostname: $!\n";
print $name "web1\n";
close $name;
must(qw(ip link set lo up)) if -x '/sbin/ip' || -x '/usr/sbin/ip';

chdir $project or die "sandbox: $project: $!\n";
$ENV{UPKEEP_SANDBOX} = 1;
delete @ENV{ grep { /^UPKEEP_/ && $_ ne 'UPKEEP_SANDBOX' || /^SANDBOX_/ } keys %ENV };

my $child = fork // die "sandbox: fork: $!\n";
if ( $child == 0 ) {
    $SIG{$_} = 'DEFAULT' for qw(INT QUIT TERM HUP PIPE);    # a background job of bash ignores INT and QUIT
    no warnings 'exec';    # said below, once
    exec { $command[0] } @command or do { warn "sandbox: $command[0]: $!\n"; exit 127 };
}
for my $signal (qw(INT TERM HUP QUIT)) {
    $SIG{$signal} = sub { kill $signal, $child };
}

my $status = 0;
while ( ( my $gone = waitpid -1, 0 ) != -1 ) {
    next if $gone != $child;
    $status = $?;
    last;
}

# A file system that is still frozen would outlive its last mount, loop device and all.
if ( open my $mounts, '<', '/proc/self/mounts' ) {
    for (<$mounts>) {
        my ( $device, $point ) = split;
        system("fsfreeze -u '$point' 2>/dev/null") if $device =~ m{^/dev/loop};
    }
}
exit( $status & 127 ? 128 + ( $status & 127 ) : $status >> 8 );
