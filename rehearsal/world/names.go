package world

import (
	"cmp"
	"net"
	"net/netip"
	"sync"
)

// names are what the DNS has beside the stack's records: those that a person has made.
type names struct {
	mu     sync.Mutex
	byName map[string]string // addresses
	domain string            // the stack's, for which the CA is asked
}

// made makes a record, and reports whether it was not there.
func (n *names) made(name, address string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName[name] == address {
		return false
	}
	if n.byName == nil {
		n.byName = map[string]string{}
	}
	n.byName[name] = address
	return true
}

func (n *names) find(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byName[name]
}

func (n *names) setDomain(domain string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.domain = domain
}

func (n *names) currentDomain() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.domain
}

// resolve returns the address of a host on the internet: the stack's records have it, or one that a person has made.
func (c *cloud) resolve(host string) (string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	if address := cmp.Or(c.declaredAddress(host), c.names.find(host)); address != "" {
		return address, nil
	}
	return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
