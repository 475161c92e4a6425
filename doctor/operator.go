package doctor

import (
	"context"
	"fmt"
	"net/netip"
)

// findOperator compares who may use SSH with this machine's address.
func findOperator(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("operatorIp")
	if err != nil || needs.OperatorIP == "" { // SSH is closed on purpose
		return nil, err
	}
	allowed, err := netip.ParsePrefix(needs.OperatorIP)
	if err != nil {
		return nil, fmt.Errorf("operatorIp %s: %w", needs.OperatorIP, err)
	}
	text, err := s.Address(ctx)
	if err != nil {
		return nil, fmt.Errorf("this machine's address is unknown: %w", err)
	}
	address, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("this machine's address is unknown: %w", err)
	case address.Is6():
		return nil, fmt.Errorf("this machine's address is %s, and the host has IPv4 only\nTo do: compare `curl -4 https://checkip.amazonaws.com` with operatorIp", address)
	case allowed.Contains(address):
		return nil, nil
	}
	return []Finding{{
		Severity: Warning,
		Message:  fmt.Sprintf("operatorIp is %s, and this machine's address is %s, so SSH from here is closed", needs.OperatorIP, address),
		Remedy:   fmt.Sprintf("`cicd doctor --fix --stack %s` sets it; or leave it, and use the output sessionCommand, which needs no open port.", s.Name),
		Setting:  &Setting{"operatorIp", address.String()},
	}}, nil
}
