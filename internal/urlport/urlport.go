// Package urlport knows to which port a URL leads, for those who look for ports that a firewall closes.
package urlport

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// schemePorts are the ports of URLs that name none (IANA, "Uniform Resource Identifier (URI) Schemes", and the drivers'
// documentation).
var schemePorts = map[string]int{
	"amqp": 5672, "amqps": 5671, "http": 80, "https": 443, "mariadb": 3306, "mongodb": 27017, "mysql": 3306, "nats": 4222,
	"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "smtp": 25, "smtps": 465, "sqlserver": 1433,
}

// Of returns the TCP port that a text leads to if it is a URL, and 0 if it is none, or leads to the container itself.
func Of(text string) int {
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
