using System.Text;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A worker's console: what tasks write goes to the worker's log and, line by line, to the head. The line that is being written is kept per thread.</summary>
internal sealed class TaskOutputWriter(TextWriter log, DriverConnection session) : TextWriter
{
    private readonly ThreadLocal<StringBuilder> _line = new(static () => new());

    public override Encoding Encoding => log.Encoding;

    public override void Write(char value)
    {
        log.Write(value);
        Add([value]);
    }

    public override void Write(string? value)
    {
        log.Write(value);
        Add(value);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        log.Write(buffer);
        Add(buffer);
    }

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void WriteLine(string? value) => Write(value + log.NewLine);

    public override void WriteLine() => Write(log.NewLine);

    public override void Flush() => log.Flush();

    private void Add(ReadOnlySpan<char> text)
    {
        if (TaskContext.Current is not { } context || session.FindRun(context.TaskId) is not { } run)
            return;
        var pending = _line.Value!;
        while (text.IndexOf('\n') is >= 0 and var end)
        {
            pending.Append(text[..end]);
            session.SendOrWait(new() { Printed = new() { Task = run.Message.Name, Text = pending.ToString().TrimEnd('\r') } });
            pending.Clear();
            text = text[(end + 1)..];
        }

        pending.Append(text);
    }
}
