using System.Globalization;

namespace Serve.Stress;

/// <summary>
/// An actor that counts, and writes each call it has run into a journal of its own before it answers: a file survives the death of its process, so that what
/// ran can be told afterwards.
/// </summary>
[Remote]
internal sealed class Ledger(string folder, int number) : IDisposable
{
    private readonly FileStream _journal = new(Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture)), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private int _count;

    /// <summary>How many calls this incarnation has run.</summary>
    public int Note(int call)
    {
        _journal.Write(System.Text.Encoding.ASCII.GetBytes($"{call}\n"));
        return ++_count;
    }

    public void Dispose() => _journal.Dispose();

    /// <summary>How often each call was run.</summary>
    public static Dictionary<int, int> Read(string folder, int number)
    {
        var file = Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture));
        return File.Exists(file)
            ? File.ReadLines(file).GroupBy(line => int.Parse(line, CultureInfo.InvariantCulture)).ToDictionary(call => call.Key, call => call.Count())
            : [];
    }
}
