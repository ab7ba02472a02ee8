using System.Globalization;
using System.Text;

namespace Serve;

/// <summary>
/// Escapes text of a log entry, which may contain values of a request: a line break stays one, but the next line is indented, so that it cannot be taken for another entry; other control
/// characters, which a terminal would interpret, and characters that change the direction of text become <c>\u001b</c>.
/// </summary>
public static class LogTextEscaper
{
    private const string Indent = "    ";

    /// <summary>Escapes a text.</summary>
    /// <param name="text">The text; a line break at its end is kept as it is.</param>
    /// <returns>The same instance if nothing must be escaped.</returns>
    public static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var end = text.Length - (text.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : text.EndsWith('\n') ? 1 : 0);
        var first = 0;
        while (first < end && !MustBeEscaped(text[first]))
            first++;
        if (first == end)
            return text;
        var escaped = new StringBuilder(text, 0, first, text.Length + 64);
        for (var i = first; i < end; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && i + 1 < end && text[i + 1] == '\n' && ++i > 0))
                escaped.Append('\n').Append(Indent);
            else if (MustBeEscaped(text[i]))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            else
                escaped.Append(text[i]);
        }

        return escaped.Append(text, end, text.Length - end).ToString();
    }

    // U+2028 and U+2029 separate lines and paragraphs. The others change the order in which a viewer shows the rest of a line (Unicode TR 9).
    private static bool MustBeEscaped(char letter) => (char.IsControl(letter) && letter != '\t')
        || letter is '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
