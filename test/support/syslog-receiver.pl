#!/usr/bin/perl
# Stands in for a syslog daemon at a Unix socket of its own: prints each message as a line, with what would break the line
# as \xNN. Node has no Unix datagrams.
#
#   syslog-receiver.pl PATH dgram|stream
use strict;
use warnings;
use Socket;

my ($path, $type) = @ARGV;
unlink $path;
socket(my $socket, AF_UNIX, $type eq 'stream' ? SOCK_STREAM : SOCK_DGRAM, 0) or die "socket: $!";
bind($socket, pack_sockaddr_un($path)) or die "bind: $!";
$| = 1;

sub show {
    my ($message) = @_;
    $message =~ s/([\x00-\x1f\x7f\\])/sprintf('\\x%02x', ord($1))/ge;
    print "$message\n";
}

if ($type eq 'stream') {
    listen($socket, 8) or die "listen: $!";
    print "ready\n";
    while (accept(my $client, $socket)) {
        local $/;
        show(<$client>);
    }
} else {
    print "ready\n";
    while (defined recv($socket, my $message, 65536, 0)) { show($message) }
}
