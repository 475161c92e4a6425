package sessionmanager

import (
	"encoding/json"
	"net/http"
	"strings"
)

// channelPath is the path of a session's data channel, before its ID.
const channelPath = "/v1/data-channel/"

// Command is what runs on a host in a session.
type Command struct {
	Words       []string
	Environment []string
	Folder      string
	// Terminal gives the command a terminal. Without one, ExitCode has its output come as it is printed, and its exit code
	// in the end.
	Terminal, ExitCode bool
}

// ServeHTTP gives the plugin a session's command, once, for the session's token. The response ends when the session does;
// the session ends when the plugin no longer reads it.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := s.open(strings.TrimPrefix(r.URL.Path, channelPath), r.Header.Get("Authorization"))
	if one == nil {
		http.Error(w, "no such session, or a wrong token", http.StatusForbidden)
		return
	}
	if err := json.NewEncoder(w).Encode(one.command); err != nil {
		return // the plugin is gone
	}
	http.NewResponseController(w).Flush()
	select {
	case <-one.ended:
	case <-r.Context().Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		one.end()
	}
}

// open returns the session with a token, which opens it once, and not after its end; nil for none.
func (s *Service) open(id, token string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.sessions[id]
	if !ok || token == "" || token != one.token {
		return nil
	}
	select {
	case <-one.ended:
		return nil
	default:
	}
	one.token = ""
	return one
}
