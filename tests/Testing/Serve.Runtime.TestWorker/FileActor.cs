namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose disposal can be seen from another process: it leaves a file.</summary>
[Remote]
public sealed class FileActor(string disposed) : IDisposable
{
    public int Pid() => Environment.ProcessId;

    /// <summary>Waits for a task that it has started.</summary>
    public async Task<int> StartWait(string file) => await Cluster.Current.Jobs.Wait.Remote(file);

    public void Dispose() => File.WriteAllText(disposed, "");
}
