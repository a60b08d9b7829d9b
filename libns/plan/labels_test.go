package plan

import (
	"bytes"
	"testing"
)

func TestTheMountLabelIsGivenByTheOptionThatTheAnnotationNames(t *testing.T) {
	r := request(t, "labels")
	r.Config.Annotations = map[string]string{"run.oci.mount_context_type": "rootcontext"}
	p, err := ForCreate(r)
	if err != nil {
		t.Fatal(err)
	}
	const label = "system_u:object_r:container_file_t:s0:c1,c2"
	text := printed(t, p)
	if !bytes.Contains(text, []byte(`fsconfig(fs, "rootcontext", "`+label)) || bytes.Contains(text, []byte(`fsconfig(fs, "context", "`+label)) {
		t.Errorf("the plan does not set rootcontext alone:\n%s", text)
	}
}
