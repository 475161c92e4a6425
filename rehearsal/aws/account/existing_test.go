package account

import "testing"

// What was there before the stack can be referred to, and is not the stack's.
func TestExisting(t *testing.T) {
	a := New("123456789012")
	a.Put(Resource{Type: VPC, URN: "own", ID: "vpc-2"})
	a.AddExisting(Resource{Type: VPC, ID: "vpc-1"})
	if _, ok := a.Find(VPC, "id", "vpc-1"); !ok {
		t.Error("an existing VPC is not found")
	}
	if all := a.ByType(VPC); len(all) != 2 || all[0].ID != "vpc-1" {
		t.Errorf("VPCs = %v, want the existing one first", all)
	}
	if r, ok := a.Find(VPC, "id", ""); ok {
		t.Errorf("no id finds %v", r)
	}
	a.Delete("own", "vpc-2")
	if left := a.All(); len(left) != 0 {
		t.Errorf("after the stack's own is deleted, %v is left", left)
	}
}
