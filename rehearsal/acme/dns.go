package acme

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// idle is how long the name server keeps a connection on which nothing happens.
const idle = 10 * time.Second

// nameServer answers questions for names over TCP, which is all that Pebble uses (va.go, New). To a known name it gives
// the loopback address, where the relays stand for the domain's.
type nameServer struct {
	address  string
	listener net.Listener
	known    func(name string) bool
	group    sync.WaitGroup
}

func serveNames(known func(name string) bool) (*nameServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &nameServer{address: listener.Addr().String(), listener: listener, known: known}
	s.group.Go(s.serve)
	return s, nil
}

func (s *nameServer) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // it is closed
		}
		s.group.Go(func() {
			defer conn.Close()
			for s.answerOne(conn) == nil {
			}
		})
	}
}

// answerOne reads one question and answers it. Over TCP, the length comes before each message (RFC 1035, section
// 4.2.2).
func (s *nameServer) answerOne(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	var length uint16
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		return err
	}
	question := make([]byte, length)
	if _, err := io.ReadFull(conn, question); err != nil {
		return err
	}
	answer, err := s.answer(question)
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}

// answer returns the answer to a question: an address, no record of that type, or no such name.
func (s *nameServer) answer(message []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired},
		Questions: []dnsmessage.Question{question},
	}
	switch {
	case !s.known(strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))):
		reply.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return reply.Pack()
}

func (s *nameServer) close() error {
	err := s.listener.Close()
	s.group.Wait() // at most as long as a connection may be idle
	return err
}
