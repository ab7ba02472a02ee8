using System.Globalization;

namespace Serve.Runtime.Parallel;

/// <summary>
/// A line on the terminal that says how far long work is: <c>Map  42 % ━━━━━━━  420,000/1,000,000  2.1 M/s  0:04 left</c>. It is drawn on standard error
/// ten times a second, and only where that is a terminal. Work that is over within half a second shows nothing.
/// </summary>
internal sealed class ProgressBar : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private readonly Lock sync = new();
    private readonly string name;
    private readonly long? total;
    private readonly Func<long> done;
    private readonly TextWriter output;
    private readonly TimeProvider clock;
    private readonly Func<int> columns;
    private readonly long began;
    private readonly ITimer timer;
    private bool isDrawn;
    private bool isOver;

    internal ProgressBar(string name, long? total, Func<long> done, TextWriter output, Func<int> columns, TimeProvider clock)
    {
        (this.name, this.total, this.done, this.output, this.columns, this.clock) = (name, total, done, output, columns, clock);
        began = clock.GetTimestamp();
        timer = clock.CreateTimer(static bar => ((ProgressBar)bar!).Draw(), this, Patience, Period);
    }

    /// <summary>Shows it where there is a terminal.</summary>
    /// <param name="name">What stands in front.</param>
    /// <param name="total">How many items there are; null when nobody knows.</param>
    /// <param name="done">How many are done.</param>
    /// <returns>Removes the line when disposed; null where nothing is shown.</returns>
    public static ProgressBar? Start(string name, long? total, Func<long> done) =>
        Console.IsErrorRedirected ? null : new(name, total, done, Console.Error, TerminalColumns, TimeProvider.System);

    public void Dispose()
    {
        timer.Dispose();
        lock (sync)
        {
            if (isOver)
                return;
            isOver = true;
            if (!isDrawn)
                return;

            // What is left is the line with its last figures, as a record of what ran.
            Write();
            output.WriteLine();
        }
    }

    private static int TerminalColumns()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    private void Draw()
    {
        lock (sync)
        {
            if (isOver)
                return;
            isDrawn = true;
            Write();
        }
    }

    private void Write()
    {
        var line = ProgressLine.Format(name, done(), total, clock.GetElapsedTime(began), columns() - 1);
        output.Write(string.Create(CultureInfo.InvariantCulture, $"\r\u001b[2K{line}"));
        output.Flush();
    }
}
