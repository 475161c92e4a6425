package freeport

import (
	"net"
	"testing"
)

// TestAddress: the server may start much later, so no port may repeat, be in use, or be one that the kernel hands
// out.
func TestAddress(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		address, err := Address()
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if seen[address] || tcp.Port < lowest || tcp.Port >= lowest+count {
			t.Fatalf("%s, want another port than before, from %d to %d", address, lowest, lowest+count-1)
		}
		seen[address] = true
	}
}

func TestTakenPortIsLeftOut(t *testing.T) {
	taken, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	picked.Add(^uint32(0)) // again the port that is now in use
	if got, err := Address(); err != nil || got == taken {
		t.Errorf("%s, %v, want another port than %s", got, err, taken)
	}
}
