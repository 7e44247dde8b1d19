package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
)

const (
	// maxInherited bounds the sockets of socket activation (sd_listen_fds(3)).
	maxInherited = 16
	// socketMode lets the group of the socket's folder or unit ask.
	socketMode = 0o660
)

// ErrPublic says that an address can be reached from other machines.
var ErrPublic = errors.New("can be reached from other machines, which may then ask; give --listen-publicly if that is meant")

// Listen opens listeners: unix:/path of a socket, or address:port. One that
// other machines can reach is [ErrPublic], unless publicly. On an error, none
// stays open.
func Listen(addresses []string, publicly bool) (listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			listeners = nil
		}
	}()
	for _, a := range addresses {
		var l net.Listener
		if path, isUnix := strings.CutPrefix(a, "unix:"); isUnix {
			l, err = listenUnix(path)
		} else {
			l, err = listenTCP(a, publicly)
		}
		if err != nil {
			return listeners, fmt.Errorf("--listen %s: %w", a, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listenTCP(a string, publicly bool) (net.Listener, error) {
	address, err := netip.ParseAddrPort(a)
	if err != nil {
		return nil, errors.New("is neither unix:/path nor an IP address and a port, such as 127.0.0.1:8853")
	}
	if !address.Addr().Unmap().IsLoopback() && !publicly {
		return nil, ErrPublic
	}
	return net.Listen("tcp", address.String())
}

// listenUnix opens a socket that nobody but owner and group can use, at no
// moment. It replaces a socket that a killed daemon left behind, but not one at
// which somebody answers.
func listenUnix(path string) (net.Listener, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the path of a socket begins with /")
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, errors.New("there is a file that is not a socket")
	default:
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, errors.New("another daemon listens there")
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	before := syscall.Umask(0o777 &^ socketMode) // of the process, which has nothing else to do yet
	l, err := net.Listen("unix", path)
	syscall.Umask(before)
	return l, err
}

// Inherited takes the listeners that systemd opened (socket activation), none
// without it. The unit decides from where they can be reached. But TCP that
// other machines can reach is [ErrPublic] all the same, unless publicly.
func Inherited(publicly bool) ([]net.Listener, error) {
	// The library takes a number that it cannot read for none.
	ours := os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid())
	if n, err := strconv.Atoi(os.Getenv("LISTEN_FDS")); ours && (err != nil || n < 1 || n > maxInherited) {
		return nil, fmt.Errorf("LISTEN_FDS=%q is not a number from 1 to %d", os.Getenv("LISTEN_FDS"), maxInherited)
	}
	files := activation.Files(false)
	defer func() {
		for _, f := range files {
			f.Close() // a listener has a descriptor of its own
		}
	}()
	var listeners []net.Listener
	for i, f := range files {
		l, err := net.FileListener(f)
		if err == nil {
			listeners = append(listeners, l)
			if a, isTCP := l.Addr().(*net.TCPAddr); isTCP && !a.IP.IsLoopback() && !publicly {
				err = ErrPublic
			}
		}
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, fmt.Errorf("inherited socket %d: %w", i, err)
		}
	}
	return listeners, nil
}
