package notice_test

import (
	"strings"
	"testing"

	"github.com/siyiban/onething/examples/plugins/notice"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	d := notice.Document("通知<书>", []notice.Line{{"姓名", `王"小"明`}, {"地址", ""}, {"说明", "<script>alert('x')</script> & 其他"}}, "请妥善保管。")
	page := string(d.Content)
	if d.MediaType != "text/html; charset=utf-8" {
		t.Errorf("media type %q", d.MediaType)
	}
	for _, want := range []string{"<h1>通知&lt;书&gt;</h1>", "<td>王&#34;小&#34;明</td>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; 其他", "<p>请妥善保管。</p>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "地址") || strings.Contains(page, "<script") {
		t.Error("an empty line or a tag from a text is on the page")
	}
}

// Whatever a name holds, the page stays the page: it has the same elements as with a harmless name.
func FuzzDocument(f *testing.F) {
	f.Add("王小明")
	f.Add(`</td><script>"'&`)
	f.Fuzz(func(t *testing.T, name string) {
		page := string(notice.Document("t", []notice.Line{{"姓名", "x" + name}}).Content)
		plain := string(notice.Document("t", []notice.Line{{"姓名", "x"}}).Content)
		if strings.Count(page, "<") != strings.Count(plain, "<") || strings.Count(page, ">") != strings.Count(plain, ">") {
			t.Errorf("%q changes the elements of the page", name)
		}
	})
}
