package world

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/ec2"
)

// schemePorts are the ports of URLs that name none (IANA, "Uniform Resource Identifier (URI) Schemes", and the drivers'
// documentation).
var schemePorts = map[string]int{
	"amqp": 5672, "amqps": 5671, "http": 80, "https": 443, "mariadb": 3306, "mongodb": 27017, "mysql": 3306, "nats": 4222,
	"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "smtp": 25, "smtps": 465, "sqlserver": 1433,
}

// portOf returns the TCP port that a text leads to if it is a URL, and 0 if it is none, or leads to the container itself.
func portOf(text string) int {
	u, err := url.Parse(strings.TrimPrefix(text, "jdbc:"))
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" {
		return 0
	}
	if ip := net.ParseIP(u.Hostname()); ip.IsLoopback() {
		return 0
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	return schemePorts[strings.ToLower(u.Scheme)]
}

// warnOfPorts warns of each variable of the application with a URL to a port that the declared network does not let the
// host connect to. A rehearsal's containers would reach it all the same.
func (c *cloud) warnOfPorts(variables map[string]string) error {
	instances, err := ec2.Instances(c.account)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		port := portOf(variables[name])
		closed := func(i ec2.Instance) bool { return ec2.Outbound(c.account, i, port) != nil }
		if port != 0 && slices.ContainsFunc(instances, closed) {
			c.report.remark(fmt.Sprintf("warning: %s has a URL with port %d, which the security group does not let out: add %d to egressPorts", name, port, port))
		}
	}
	return nil
}
