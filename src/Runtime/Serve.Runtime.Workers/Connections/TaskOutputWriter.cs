using System.Text;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Console of a worker: writes output to the worker's log and, line by line, to the driver: that of tasks and calls, or all. The unfinished line is kept per thread. Blocks while the driver does not keep up.</summary>
internal sealed class TaskOutputWriter(TextWriter log, DriverConnection session, bool isError, bool forwardsAll) : TextWriter
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
        var run = TaskContext.Current is { } context ? session.FindRun(context.TaskId) : null;
        if (run is null && !forwardsAll)
            return;
        var pending = _line.Value!;
        while (text.IndexOf('\n') is >= 0 and var end)
        {
            pending.Append(text[..end]);
            session.SendOrWait(new() { Printed = new() { Task = run?.Message.Name ?? "", Text = pending.ToString().TrimEnd('\r'), IsError = isError } });
            pending.Clear();
            text = text[(end + 1)..];
        }

        pending.Append(text);
    }
}
