// Package freeport picks TCP ports for servers that start later, in another process.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// The range of ports. It lies below the ephemeral ones (net.ipv4.ip_local_port_range, by default from 32768), which
// the kernel may give to any outgoing connection, and Docker to any container, before the server takes its port.
const (
	lowest = 20000
	count  = 12000
)

// picked counts ports, starting at a random offset for this process.
var picked atomic.Uint32

func init() { picked.Store(rand.Uint32N(count)) }

// Address returns a loopback address on which nothing listens. It does not soon return the same one again.
func Address() (string, error) {
	var err error
	for range count {
		var listener net.Listener
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+picked.Add(1)%count))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", errors.Join(errors.New("no port is free"), err)
}
