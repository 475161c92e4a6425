// Command resolver is a name server that knows no names. It prints every name that it is asked for.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	conn, err := net.ListenPacket("udp", ":53")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	message := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(message)
		if err != nil || n < 12 {
			continue
		}
		fmt.Println("asked for", name(message[12:n]))
		// RFC 1035, 4.1.1: an answer (QR), recursion available (RA), code 3: the name does not exist.
		message[2] |= 0x80
		message[3] = 0x80 | 3
		_, _ = conn.WriteTo(message[:n], from)
	}
}

// name reads the labels of a question (RFC 1035, 4.1.2).
func name(question []byte) string {
	var labels []string
	for len(question) > 0 && question[0] > 0 && int(question[0]) < len(question) {
		length := int(question[0])
		labels = append(labels, string(question[1:length+1]))
		question = question[length+1:]
	}
	return strings.Join(labels, ".")
}
