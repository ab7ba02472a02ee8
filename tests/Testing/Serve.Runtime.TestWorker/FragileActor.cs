namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose constructor ends its process the first time, which leaves a file.</summary>
[Remote]
public sealed class FragileActor
{
    public FragileActor(string file)
    {
        if (File.Exists(file))
            return;
        File.WriteAllText(file, "");
        Environment.Exit(7);
    }

    public int Pid() => Environment.ProcessId;
}
