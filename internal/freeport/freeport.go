// Package freeport picks TCP ports for servers that start later, in another process.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// The ports to pick from. They lie below the ephemeral ones (net.ipv4.ip_local_port_range, from 32768 by default): of those the
// kernel gives one to any outgoing connection, and Docker to any container, perhaps before the server takes it.
const (
	lowest = 20000
	count  = 12000
)

// picked counts ports, from a place of this process's own.
var picked atomic.Uint32

func init() { picked.Store(rand.Uint32N(count)) }

// Address returns an address on the loopback interface that nothing listens at. It does not return the same one again soon.
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
