package api

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Close lets a request in progress finish, and accepts no new connections meanwhile.
func TestServerCloses(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	server, err := Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "done")
	}))
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan string, 1)
	go func() {
		defer close(bodies)
		answer, err := http.Get(server.URL)
		if err != nil {
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		bodies <- string(body)
	}()
	<-entered
	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	for answers(server) { // until Close has begun
		time.Sleep(time.Millisecond)
	}
	close(leave)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if body := <-bodies; body != "done" {
		t.Errorf("the request under way got %q, want its answer", body)
	}
}

func answers(server *Server) bool {
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
