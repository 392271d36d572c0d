package main

import (
	"net"
	"os"
)

// tellSystemd tells the service manager how far the server has come, `READY=1` or `STOPPING=1`, where it wants to know
// (sd_notify(3)).
func tellSystemd(state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the datagram is sent
	_, err = conn.Write([]byte(state))
	return err
}
