using System.Text;

namespace Serve.Replica.Logs;

/// <summary>Writes to the console of the process and passes complete lines on. The unfinished line is kept per thread; a very long one is split.</summary>
/// <param name="console">The console of the process.</param>
/// <param name="onLine">Receives lines.</param>
internal sealed class ReplicaConsoleWriter(TextWriter console, Action<string> onLine) : TextWriter
{
    private const int MaxLineLength = 8192;
    private readonly ThreadLocal<StringBuilder> _line = new(static () => new());
    private readonly ThreadLocal<bool> _isPassingOn = new();

    public override Encoding Encoding => console.Encoding;

    public override void Write(char value)
    {
        console.Write(value);
        Add([value]);
    }

    public override void Write(string? value)
    {
        console.Write(value);
        Add(value);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        console.Write(buffer);
        Add(buffer);
    }

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void WriteLine(string? value) => Write(value + console.NewLine);

    public override void WriteLine() => Write(console.NewLine);

    public override void Flush() => console.Flush();

    private void Add(ReadOnlySpan<char> text)
    {
        // A log that writes to the console would not end.
        if (_isPassingOn.Value)
            return;
        var pending = _line.Value!;
        while (text.IndexOf('\n') is >= 0 and var end)
        {
            pending.Append(text[..end]);
            PassOn(pending);
            text = text[(end + 1)..];
        }

        pending.Append(text);
        if (pending.Length > MaxLineLength)
            PassOn(pending);
    }

    private void PassOn(StringBuilder pending)
    {
        var line = pending.ToString().TrimEnd('\r');
        pending.Clear();
        _isPassingOn.Value = true;
        try
        {
            onLine(line);
        }
        finally
        {
            _isPassingOn.Value = false;
        }
    }
}
