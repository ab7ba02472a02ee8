using System.Globalization;

namespace Serve.Runtime.Parallel;

/// <summary>
/// Progress line on the terminal: <c>Map  42 % ━━━━━━━  420,000/1,000,000  2.1 M/s  0:04 left</c>. Written to standard error ten times per second, if that is a
/// terminal. Nothing is shown for work that finishes within half a second.
/// </summary>
internal sealed class ConsoleProgressBar : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private readonly Lock _sync = new();
    private readonly string _name;
    private readonly long? _total;
    private readonly Func<long> _done;
    private readonly TextWriter _output;
    private readonly TimeProvider _clock;
    private readonly Func<int> _columns;
    private readonly long _began;
    private readonly ITimer _timer;
    private bool _isDrawn;
    private bool _isOver;

    internal ConsoleProgressBar(string name, long? total, Func<long> done, TextWriter output, Func<int> columns, TimeProvider clock)
    {
        (_name, _total, _done, _output, _columns, _clock) = (name, total, done, output, columns, clock);
        _began = clock.GetTimestamp();
        _timer = clock.CreateTimer(static bar => ((ConsoleProgressBar)bar!).Draw(), this, Patience, Period);
    }

    /// <summary>Shows the bar if there is a terminal.</summary>
    /// <param name="name">Label in front of the bar.</param>
    /// <param name="total">Number of items; null if unknown.</param>
    /// <param name="done">Returns the number of processed items.</param>
    /// <returns>Removes the bar when disposed; null if nothing is shown.</returns>
    public static ConsoleProgressBar? Start(string name, long? total, Func<long> done) =>
        Console.IsErrorRedirected ? null : new(name, total, done, Console.Error, TerminalColumns, TimeProvider.System);

    public void Dispose()
    {
        _timer.Dispose();
        lock (_sync)
        {
            if (_isOver)
                return;
            _isOver = true;
            if (!_isDrawn)
                return;

            // The line with its last figures remains as a record.
            Write();
            _output.WriteLine();
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
        lock (_sync)
        {
            if (_isOver)
                return;
            _isDrawn = true;
            Write();
        }
    }

    private void Write()
    {
        var line = ProgressLineFormatter.Format(_name, _done(), _total, _clock.GetElapsedTime(_began), _columns() - 1);
        _output.Write(string.Create(CultureInfo.InvariantCulture, $"\r\u001b[2K{line}"));
        _output.Flush();
    }
}
