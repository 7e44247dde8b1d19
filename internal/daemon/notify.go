package daemon

import "github.com/coreos/go-systemd/v22/daemon"

// A Notice tells systemd of a change (sd_notify(3)).
type Notice string

// The notices.
const (
	Ready     Notice = daemon.SdNotifyReady
	Reloading Notice = daemon.SdNotifyReloading
	Stopping  Notice = daemon.SdNotifyStopping
)

// Notify sends a notice if systemd wants to know.
func Notify(n Notice) error {
	state := string(n)
	if n == Reloading {
		// So that systemd can tell it from an earlier one.
		state += "\n" + daemon.SdNotifyMonotonicUsec()
	}
	_, err := daemon.SdNotify(false, state)
	return err
}
