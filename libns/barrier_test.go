package libns

import (
	"encoding/binary"
	"os"
	"testing"

	"rt/libns/plan"
)

// Who forks and the child that it forks run at the same time: either may be heard first.
func TestAForkedInitStageIsKnownBeforeItIsHeard(t *testing.T) {
	const fork, number, forker = 3, 1, 1 << 30
	announced := sent(plan.MessageForked, os.Getpid())
	arrived := sent(plan.MessageBarrier, number)
	for name, order := range map[string][][]byte{
		"announced first": {announced, arrived},
		"heard first":     {arrived, announced},
	} {
		t.Run(name, func(t *testing.T) {
			conversation, theirs, err := talk()
			if err != nil {
				t.Fatal(err)
			}
			defer conversation.close()
			defer theirs.Close()
			for _, message := range order {
				if _, err := theirs.Write(message); err != nil {
					t.Fatal(err)
				}
			}
			d := &driver{
				plan: &plan.Plan{Fork: fork, Steps: []plan.Step{
					{First: fork + 1, Barrier: &plan.Barrier{Number: number}},
				}},
				conversation: conversation,
				child:        child{pid: forker, pidfd: -1},
			}
			m, err := d.next(plan.MessageBarrier)
			if err != nil {
				t.Fatal(err)
			}
			defer d.child.close()
			if m.Index != number || len(d.early) != 0 {
				t.Errorf("heard %v, and %d are put off", m.Message, len(d.early))
			}
			if d.child.pid != os.Getpid() || d.forker != forker {
				t.Errorf("the init stage is %d, forked by %d", d.child.pid, d.forker)
			}
		})
	}
}

// sent is a message as the init stage sends it.
func sent(kind plan.MessageKind, index int) []byte {
	b := make([]byte, plan.MessageSize)
	binary.LittleEndian.PutUint32(b, uint32(kind))
	binary.LittleEndian.PutUint32(b[4:], uint32(index))
	return b
}
