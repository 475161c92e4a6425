package docker

import (
	"context"
	"net"
	"strings"
)

// HostOfContainers returns an address of this machine that containers can connect to, and by which name or address they
// do. On Linux that is the address of Docker's bridge, an interface of this machine. Where Docker runs in a virtual
// machine, there is no such interface here, and Docker has a name for this machine's loopback interface (Docker manual,
// "Networking on Docker Desktop").
func HostOfContainers(ctx context.Context) (listen, host string, err error) {
	bridge, err := Run(ctx, "network", "inspect", "--format", `{{index .Options "com.docker.network.bridge.name"}}`, "bridge")
	if err != nil {
		return "", "", err
	}
	if address := addressOf(strings.TrimSpace(bridge)); address != "" {
		return address, address, nil
	}
	return "127.0.0.1", "host.docker.internal", nil
}

// addressOf returns the IPv4 address of an interface, "" if there is no such interface, or none with one.
func addressOf(name string) string {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return ""
	}
	addresses, err := i.Addrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}
