namespace Serve.Replica.Tests.Logs;

public sealed class LogTextEscaperTests
{
    [Theory]
    [InlineData("a\nb", "a\n    b")]
    [InlineData("a\r\nb", "a\n    b")]
    [InlineData("a\rb", @"a\u000db")]
    [InlineData("a\n\nb", "a\n    \n    b")]
    [InlineData("\u001b[2J\u001b]0;title\u0007", @"\u001b[2J\u001b]0;title\u0007")]
    [InlineData("\0\b\u007f", @"\u0000\u0008\u007f")]
    [InlineData("\u0080\u0085\u009b31m\u009f", @"\u0080\u0085\u009b31m\u009f")]
    [InlineData("a\u2028b\u2029c", @"a\u2028b\u2029c")]
    [InlineData("a\u202eb\u202ac\u202dd\u202c", @"a\u202eb\u202ac\u202dd\u202c")]
    [InlineData("a\u2066b\u2067c\u2068d\u2069", @"a\u2066b\u2067c\u2068d\u2069")]
    [InlineData("\u061c\u200e\u200f", @"\u061c\u200e\u200f")]
    public void Escape_ControlsAndLineBreaks_AreVisibleAndIndented(string text, string expected)
    {
        Assert.Equal(expected, LogTextEscaper.Escape(text));
        Assert.Equal(expected + "\n", LogTextEscaper.Escape(text + "\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("a\tb é 中 😀 \u200d\n")]
    public void Escape_OrdinaryText_IsTheSameInstance(string text) => Assert.Same(text, LogTextEscaper.Escape(text));
}
