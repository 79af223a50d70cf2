#!/usr/bin/perl
# A service that answers HTTP on a port, and stops to when it is stopped: `hanging.pl FIFO NAME PORT`. It tells the bench as stamp.c
# does, once it listens.
use strict;
use IO::Socket::INET;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($fifo, $name, $port) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "$port: $!";
if (open(my $out, '>>', $fifo)) {
    syswrite($out, "S $name $$ " . int(clock_gettime(CLOCK_MONOTONIC) * 1e9) . "\n");
    close $out;
}
$SIG{PIPE} = 'IGNORE';
while (my $client = $server->accept) {
    sysread($client, my $request, 4096);
    syswrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
    close $client;
}
