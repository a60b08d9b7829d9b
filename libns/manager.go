package libns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"rt/libns/kernel"
)

// Manager is a connection to a running systemd: that of the host or, for
// ordinary users, their own.
type Manager struct {
	conn *dbus.Conn
	user bool
	// onBus says that there is a message bus in between, which passes on only
	// the signals that it was asked for.
	onBus bool
	// patience is how long one answer may take.
	patience time.Duration
}

// managerPatience is how long systemd may take for one thing. It starts a unit
// within milliseconds, unless the machine is overloaded.
const managerPatience = 30 * time.Second

// ErrNoManager says that there is no systemd to ask: none runs, or there is no
// way to it.
var ErrNoManager = errors.New("systemd cannot be reached")

const (
	managerName = "org.freedesktop.systemd1"
	managerPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// ConnectManager connects to the systemd of the host, or of the calling user.
func ConnectManager(user bool) (*Manager, error) {
	return connectManager(user, managerPatience)
}

func connectManager(user bool, patience time.Duration) (*Manager, error) {
	find := systemSockets
	if user {
		find = userSockets
	}
	sockets, err := find()
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: its sockets are not there, or not for this user", ErrNoManager)
	for _, s := range sockets {
		m := &Manager{user: user, onBus: s.bus, patience: patience}
		if err = m.connect(s.address); err == nil {
			return m, nil
		}
		if !errors.Is(err, ErrNoManager) {
			break
		}
	}
	return nil, err
}

// managerSocket is a way to systemd: its bus, or a socket of its own for who may
// do everything, which is there even where no bus runs.
type managerSocket struct {
	address string
	bus     bool
}

// systemSockets are the ways to the host's systemd.
func systemSockets() ([]managerSocket, error) {
	if address := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); address != "" {
		return []managerSocket{{address, true}}, nil
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil { // sd_booted(3)
		return nil, fmt.Errorf("%w: it does not run on this host (there is no /run/systemd/system)", ErrNoManager)
	}
	return existing("/run/systemd/private", "/run/dbus/system_bus_socket"), nil
}

// userSockets are the ways to the calling user's systemd. Callers often pass no
// environment on.
func userSockets() ([]managerSocket, error) {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return []managerSocket{{address, true}}, nil
	}
	directory := os.Getenv("XDG_RUNTIME_DIR")
	if directory == "" {
		directory = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	}
	bus := filepath.Join(directory, "bus")
	sockets := existing(filepath.Join(directory, "systemd/private"), bus)
	if len(sockets) == 0 {
		return nil, fmt.Errorf("%w: the user's bus is neither in DBUS_SESSION_BUS_ADDRESS nor at %s (is dbus-user-session installed, and the user logged in?)", ErrNoManager, bus)
	}
	return sockets, nil
}

// existing gives the sockets that there are: first the bus, which systemd's
// interface is promised for.
func existing(private, bus string) []managerSocket {
	var sockets []managerSocket
	for _, path := range []string{bus, private} {
		if unix.Access(path, unix.W_OK) == nil {
			sockets = append(sockets, managerSocket{"unix:path=" + dbus.EscapeBusAddressValue(path), path == bus})
		}
	}
	return sockets
}

// connect opens the connection. Nothing that listens is allowed to keep it
// waiting for longer than patience.
func (m *Manager) connect(address string) error {
	lasting, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(m.patience, cancel)
	conn, err := dial(lasting, address)
	if err == nil {
		// Without an identity: the other side asks the kernel, which knows
		// better than a process in a user namespace.
		err = conn.Auth([]dbus.Auth{dbus.AuthExternal("")})
	}
	if err == nil && m.onBus {
		err = greet(lasting, conn)
	}
	if err == nil && timer.Stop() {
		m.conn = conn
		return nil
	}
	late := lasting.Err() != nil
	cancel()
	if late {
		return fmt.Errorf("systemd did not answer at %s within %v", address, m.patience)
	}
	return fmt.Errorf("%w at %s: %w", ErrNoManager, address, err)
}

// greet begins a conversation on a bus, and fails where systemd takes no part in
// it: when a bus has just been started, systemd comes a moment later.
func greet(ctx context.Context, conn *dbus.Conn) error {
	if err := conn.Hello(); err != nil {
		return err
	}
	var there bool
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, managerName).Store(&there)
	if err == nil && !there {
		err = errors.New("it is not on the bus")
	}
	return err
}

// dial connects to a socket. One whose queue is full refuses at once with
// EAGAIN, and the kernel does not tell when there is room again.
func dial(ctx context.Context, address string) (*dbus.Conn, error) {
	const pause = 20 * time.Millisecond
	for {
		conn, err := dbus.Dial(address, dbus.WithContext(ctx))
		if !errors.Is(err, unix.EAGAIN) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// Close ends the connection. There may be none.
func (m *Manager) Close() {
	if m != nil {
		m.conn.Close()
	}
}

// oldestSystemd is that of the oldest distributions with Linux 5.10. It knows
// every property that is used without a question.
const oldestSystemd = 244

// Facts asks what a plan depends on.
func (m *Manager) Facts() (*kernel.Systemd, error) {
	properties, err := m.properties(managerPath, managerName+".Manager")
	if err != nil {
		return nil, err
	}
	said, _ := properties["Version"].Value().(string)
	version, err := parseVersion(said)
	if err != nil {
		return nil, err
	}
	if version < oldestSystemd {
		return nil, fmt.Errorf("systemd %d is too old: %d is the first that will do", version, oldestSystemd)
	}
	group, _ := properties["ControlGroup"].Value().(string)
	return &kernel.Systemd{Version: version, User: m.user, ControlGroup: group}, nil
}

// parseVersion takes the number out of "257.8-1~deb13u2" or "v245.4".
func parseVersion(text string) (int, error) {
	text = strings.TrimPrefix(text, "v")
	if end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		text = text[:end]
	}
	version, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("systemd says that its version is %q", text)
	}
	return version, nil
}

// call makes a call of D-Bus and stores what comes back.
func (m *Manager) call(path dbus.ObjectPath, method string, arguments []any, to ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), m.patience)
	defer cancel()
	err := m.conn.Object(managerName, path).CallWithContext(ctx, method, 0, arguments...).Store(to...)
	if ctx.Err() != nil {
		return fmt.Errorf("systemd did not answer within %v", m.patience)
	}
	return err
}

// ask calls a method of the manager itself.
func (m *Manager) ask(method string, arguments []any, to ...any) error {
	return m.call(managerPath, managerName+".Manager."+method, arguments, to...)
}

// properties gives what an object says about itself.
func (m *Manager) properties(path dbus.ObjectPath, of string) (map[string]dbus.Variant, error) {
	var properties map[string]dbus.Variant
	err := m.call(path, "org.freedesktop.DBus.Properties.GetAll", []any{of}, &properties)
	return properties, err
}
