package daemon

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Notice tells systemd of a change (sd_notify(3)).
type Notice string

// The notices.
const (
	Ready     Notice = "READY=1"
	Reloading Notice = "RELOADING=1"
	Stopping  Notice = "STOPPING=1"
)

// Notify sends a notice if systemd wants to know.
func Notify(n Notice) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:] // an abstract socket
	}
	if n == Reloading {
		// So that systemd can tell it from an earlier one.
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			return err
		}
		n += Notice(fmt.Sprintf("\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond)))
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(n))
	return err
}
