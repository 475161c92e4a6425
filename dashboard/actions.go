package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cicd/operations"
)

// action is something that a person can do here, after having been asked.
type action struct {
	// Verb is its name in addresses, and Button what its button says.
	Verb, Button string
	// Question says what it does, and to what. Its details go on with what a person should know.
	Question, Details string
	// Subject is the run or the commit that it is about, "" for the branch's newest commit.
	Subject string
}

// errGone says that an action is not possible any more.
var errGone = errors.New("that is not possible any more: somebody has decided, or released, meanwhile")

// actions returns what is possible now.
func (s state) actions() []action {
	var all []action
	if s.Waiting != nil {
		commit, short := "", ""
		for _, run := range s.Runs {
			if run.ID == s.Waiting.Run {
				commit, short = operations.Short(run.Commit)+" "+run.Subject, " "+operations.Short(run.Commit)
			}
		}
		all = append(all,
			action{"approve", "Approve" + short, fmt.Sprintf("Approve the release of %s?", commit), "It is deployed then.", s.Waiting.Run},
			action{"reject", "Reject" + short, fmt.Sprintf("Reject the release of %s?", commit), "What serves goes on.", s.Waiting.Run})
	}
	all = append(all, action{"release", "Release the newest commit", "Release the branch's newest commit?",
		"It gets the stack's settings and secrets as they are now.", ""})
	if s.Earlier != nil {
		all = append(all, action{"rollback", "Go back to " + operations.Short(s.Earlier.Commit),
			fmt.Sprintf("Go back to %s %s?", operations.Short(s.Earlier.Commit), s.Earlier.Subject),
			"It is a release like others. What release commands did to a database since then is not undone.", s.Earlier.Commit})
	}
	return all
}

// find returns the action that a request asks for, if it is possible now.
func (s state) find(verb, subject string) (action, error) {
	for _, a := range s.actions() {
		if a.Verb == verb && a.Subject == subject {
			return a, nil
		}
	}
	return action{}, errGone
}

// confirm asks whether to do something.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request) {
	a, err := s.current(r.Context()).find(r.PathValue("verb"), r.URL.Query().Get("subject"))
	if err != nil {
		s.fail(w, http.StatusConflict, err)
		return
	}
	s.write(w, http.StatusOK, "confirm", struct {
		Stack, Title string
		action
	}{s.stack, a.Question, a})
}

// do does what was confirmed, and goes back to the page.
func (s *Server) do(w http.ResponseWriter, r *http.Request) {
	s.changed()
	now := s.current(r.Context())
	a, err := now.find(r.PathValue("verb"), r.PostFormValue("subject"))
	if err != nil {
		s.fail(w, http.StatusConflict, err)
		return
	}
	if err := s.perform(r.Context(), now, a); err != nil {
		s.fail(w, http.StatusBadGateway, err)
		return
	}
	s.changed()
	http.Redirect(w, r, s.base, http.StatusSeeOther)
}

func (s *Server) perform(ctx context.Context, now state, a action) error {
	switch a.Verb {
	case "approve", "reject":
		return s.pipeline.Decide(ctx, now.Waiting, a.Verb == "approve", "by cicd dashboard")
	default:
		_, err := s.pipeline.Start(ctx, a.Subject)
		return err
	}
}
