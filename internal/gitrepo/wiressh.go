package gitrepo

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentAuth logs in over SSH with the keys of the running agent, and accepts only known hosts. It is
// what is left without a git program, which would let ssh itself read ~/.ssh.
type agentAuth struct {
	user   string
	host   string // with port
	socket string
	known  []string // files of known hosts
	conn   net.Conn // to the agent, once open
}

var _ gitssh.AuthMethod = (*agentAuth)(nil)

// errNoAgent is why there are no keys.
var errNoAgent = errors.New("no SSH agent is running (SSH_AUTH_SOCK), and there is no git program that would use the keys in ~/.ssh")

func newAgentAuth(env func(string) string, ep *transport.Endpoint) (*agentAuth, error) {
	a := &agentAuth{
		user:   cmp.Or(ep.User, env("USER"), "git"),
		host:   net.JoinHostPort(ep.Host, strconv.Itoa(cmp.Or(ep.Port, 22))),
		socket: env("SSH_AUTH_SOCK"),
		known:  filepath.SplitList(env("SSH_KNOWN_HOSTS")),
	}
	if a.socket == "" {
		return nil, errNoAgent
	}
	if len(a.known) == 0 {
		a.known = []string{"/etc/ssh/ssh_known_hosts"}
		if home := env("HOME"); home != "" {
			a.known = append(a.known, filepath.Join(home, ".ssh", "known_hosts"))
		}
	}
	return a, nil
}

// Name implements go-git's transport.AuthMethod.
func (a *agentAuth) Name() string { return "ssh-agent" }

// String implements go-git's transport.AuthMethod.
func (a *agentAuth) String() string { return "ssh-agent for " + a.user }

// ClientConfig implements go-git's ssh.AuthMethod.
func (a *agentAuth) ClientConfig() (*ssh.ClientConfig, error) {
	db, err := gitssh.NewKnownHostsDb(a.known...)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	if a.conn, err = net.Dial("unix", a.socket); err != nil {
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	return &ssh.ClientConfig{
		User:              a.user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(a.conn).Signers)},
		HostKeyCallback:   db.HostKeyCallback(),
		HostKeyAlgorithms: db.HostKeyAlgorithms(a.host),
		Timeout:           20 * time.Second,
	}, nil
}

func (a *agentAuth) close() {
	if a.conn != nil {
		a.conn.Close() //nolint:errcheck // only read from
	}
}
