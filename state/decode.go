package state

import (
	"encoding/json"
	"fmt"
)

// decode reads a record back and refuses one that cannot be that of id.
func decode(data []byte, id string) (*Record, error) {
	r, ok := decodeOwn(data)
	var err error
	if !ok {
		r = new(Record)
		err = json.Unmarshal(data, r)
	}
	switch {
	case r.Version > RecordVersion:
		// Whatever else is in it, this is not damage: the container may be running.
		return nil, fmt.Errorf("state of container %s was written by a newer rt: version %d, this one knows %d", id, r.Version, RecordVersion)
	case err != nil:
		return nil, damaged(id, err.Error())
	case r.Version < 1:
		return nil, damaged(id, "no version")
	case r.ID != id:
		return nil, damaged(id, fmt.Sprintf("belongs to container %q", r.ID))
	case r.Init.PID < 0:
		return nil, damaged(id, fmt.Sprintf("impossible pid %d", r.Init.PID))
	}
	return r, nil
}

func damaged(id, reason string) error {
	return fmt.Errorf("%w of container %s: %s", ErrDamaged, id, reason)
}

// decodeOwn reads what encode writes, and gives up on anything else: encoding/json
// then has the last word. Every command begins with reading a record.
func decodeOwn(data []byte) (*Record, bool) {
	r := new(Record)
	s := Scan(data)
	s.Object(func(key string) {
		switch key {
		case "version":
			r.Version = int(s.number())
		case "id":
			r.ID = s.Text()
		case "ociVersion":
			r.OCIVersion = s.Text()
		case "bundle":
			r.Bundle = s.Text()
		case "config":
			r.Config = s.Text()
		case "rootfs":
			r.Rootfs = s.Text()
		case "created":
			r.Created = s.time()
		case "annotations":
			r.Annotations = map[string]string{}
			s.Object(func(key string) { r.Annotations[key] = s.Text() })
		case "init":
			r.Init = takeProcess(s)
		case "program":
			r.Program = s.Text()
		case "sharedPID":
			r.SharedPID = s.Boolean()
		case "laterHooks":
			r.LaterHooks = s.Boolean()
		case "cgroup":
			r.Cgroup = s.raw()
		case "rdt":
			r.RDT = s.raw()
		case "resources":
			r.Resources = s.raw()
		case "cgroupManager":
			r.CgroupManager = s.Text()
		case "rootless":
			r.Rootless = s.Text()
		default:
			s.Fail()
		}
	})
	s.take('\n')
	return r, s.Done()
}

func takeProcess(s *Scanner) (p Process) {
	s.Object(func(key string) {
		switch key {
		case "pid":
			p.PID = int(s.number())
		case "startTime":
			p.StartTime = s.number()
		default:
			s.Fail()
		}
	})
	return p
}
