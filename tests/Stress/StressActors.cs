using System.Globalization;

namespace Serve.Stress;

/// <summary>An in-process actor.</summary>
[Remote]
internal sealed class StressCounter
{
    private int _count;

    public int Increment() => ++_count;
}

/// <summary>
/// An actor that counts its calls and writes each of them to a journal before it returns. The file survives a crash of the process, so the executed
/// calls are known afterwards.
/// </summary>
[Remote]
internal sealed class JournalingActor(string folder, int number) : IDisposable
{
    private readonly FileStream _journal = new(Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture)), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private int _count;

    /// <summary>Records a call and returns the number of calls of this incarnation.</summary>
    public int Note(int call)
    {
        _journal.Write(System.Text.Encoding.ASCII.GetBytes($"{call}\n"));
        return ++_count;
    }

    public void Dispose() => _journal.Dispose();

    /// <summary>Number of executions of each call.</summary>
    public static Dictionary<int, int> Read(string folder, int number)
    {
        var file = Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture));
        return File.Exists(file)
            ? File.ReadLines(file).GroupBy(line => int.Parse(line, CultureInfo.InvariantCulture)).ToDictionary(call => call.Key, call => call.Count())
            : [];
    }
}

/// <summary>An actor in a worker that creates a nested actor and forwards its calls to it. After a restart it creates a new nested actor; the previous one terminates with its handle.</summary>
/// <param name="folder">Folder of the nested actor's journal.</param>
/// <param name="number">Number of the journal.</param>
/// <param name="isolation">Isolation of the nested actor.</param>
[Remote]
internal sealed class NestingActor(string folder, int number, Isolation isolation)
{
    private ActorHandle<JournalingActor>? _inner;

    /// <summary>Returns the call after the nested actor has recorded it.</summary>
    public async Task<int> Note(int call)
    {
        _inner ??= Cluster.Current.JournalingActor.Options(new() { Isolation = isolation, MaxRestarts = -1, MaxTaskRetries = -1 }).Remote(folder, number);
        await _inner.Note.Remote(call);
        return call;
    }
}
