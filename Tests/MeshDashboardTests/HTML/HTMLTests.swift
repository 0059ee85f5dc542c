import Testing

@testable import MeshDashboard

@Suite("Markup")
struct HTMLTests {
    @Test("what is put into markup is text, whatever it looks like", arguments: ["<b>&\"'", "</td><script>x</script>"])
    func escaping(text: String) {
        let html: HTML = "<td title=\"\(text)\">\(text)</td>"
        let inside = html.text.dropFirst("<td title=\"".count).dropLast("</td>".count)
        #expect(!inside.contains("<"))
        #expect(inside.count(where: { $0 == "\"" }) == 1)
        #expect(!inside.contains("'"))
    }

    @Test("markup that is put into markup stays markup")
    func nesting() {
        let cell: HTML = "<b>\("a&b")</b>"
        let row: HTML = "<tr>\(cell)\([cell, cell])\(HTML?.none)</tr>"
        #expect(row.text == "<tr><b>a&amp;b</b><b>a&amp;b</b><b>a&amp;b</b></tr>")
    }

    @Test("numbers, conditions and sequences")
    func pieces() {
        let html: HTML = "\(12)\(" on" as HTML, if: true)\(" off" as HTML, if: false)\((1...3).html { "<i>\($0)</i>" })"
        #expect(html.text == "12 on<i>1</i><i>2</i><i>3</i>")
    }

    @Test("control characters do not reach a page, and line ends do")
    func controls() {
        #expect(HTML(escaping: "a\u{0}\u{1b}[31m\tb\n").text == "a\u{fffd}\u{fffd}[31m\tb\n")
    }
}

@Suite("Addresses of pages")
struct TargetTests {
    @Test("what stands in an address is escaped, and empty parameters are left out")
    func encoding() {
        let target = Target("actors", "a/b", query: [("text", "ä &=?#\""), ("node", "")])
        #expect(target.text == "/actors/a%2Fb?text=%C3%A4%20%26%3D%3F%23%22")
    }

    @Test("what was escaped is read again")
    func decoding() {
        let parameters = QueryParameters("text=%C3%A4%20%26%3D&a=1+2&a=3&bad=%zz&empty=&%61b=c")
        #expect(parameters["text"] == "ä &=")
        #expect(parameters["a"] == "1 2")
        #expect(parameters.all("a") == ["1 2", "3"])
        #expect(parameters["bad"] == "%zz")
        #expect(parameters["empty"] == nil)
        #expect(parameters.has("empty"))
        #expect(parameters["ab"] == "c")
    }

    @Test("bytes that are no text, and more parameters than there are fields, do no harm")
    func garbage() {
        #expect(QueryParameters("text=%ff%fe")["text"] == "\u{fffd}\u{fffd}")
        let many = QueryParameters((0..<1000).map { "p\($0)=x" }.joined(separator: "&"))
        #expect(many["p0"] == "x")
        #expect(many["p999"] == nil)
    }
}
