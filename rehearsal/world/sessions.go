package world

import (
	"os"
	"path/filepath"
	"slices"

	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/sessionmanager/plugin"
)

// startSessions starts Session Manager, and makes the folder for its plugin, which people's PATH gets.
func (c *cloud) startSessions() error {
	c.sessions = &sessionmanager.Service{Account: c.account, Authority: c.authority, Host: c.managed}
	channels, err := c.serve(c.sessions)
	if err != nil {
		return err
	}
	c.sessions.URL = channels.URL
	c.closers = append(c.closers, c.sessions.Close)
	bin, err := c.work.MakeDir("operator-bin")
	if err != nil {
		return err
	}
	return os.Symlink(c.builtInAWS, filepath.Join(bin, plugin.Name))
}

// managed is a host as Session Manager knows it.
func (c *cloud) managed(instanceID string) (sessionmanager.Host, error) {
	h, err := c.host(instanceID)
	if err != nil {
		return sessionmanager.Host{}, err
	}
	role, err := h.Session()
	if err != nil {
		return sessionmanager.Host{}, err
	}
	environment := append(slices.Clone(h.agent.Env), "HOME="+h.Home, "TERM=xterm-256color")
	return sessionmanager.Host{Role: role, Environment: environment, Folder: h.Home}, nil
}

// provideSudo makes the command with which the user of sessions does everything (amazon-ssm-agent,
// agent/session/utility/utility_unix.go, CreateLocalAdminUser). On a rehearsed host, whoever it is may use Docker anyway.
func provideSudo(folder string) error {
	return os.WriteFile(filepath.Join(folder, "sudo"), []byte("#!/bin/sh\nexec \"$@\"\n"), 0o755)
}
