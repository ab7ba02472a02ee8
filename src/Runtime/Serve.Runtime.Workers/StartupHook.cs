using Serve.Runtime;
using Serve.Runtime.Workers.Processes;

/// <summary>
/// Makes a program's process a worker before its <c>Main</c> runs: .NET calls this in every process that <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly to. The name and the missing namespace are .NET's.
/// </summary>
internal static class StartupHook
{
    /// <summary>Runs the worker; does not return.</summary>
    public static void Initialize()
    {
        // What the worker's tasks start are programs of their own.
        var mine = typeof(StartupHook).Assembly.Location;
        var others = (Environment.GetEnvironmentVariable(ProgramWorkerLauncher.HookVariable) ?? "").Split(Path.PathSeparator).Where(hook => hook != mine);
        Environment.SetEnvironmentVariable(ProgramWorkerLauncher.HookVariable, string.Join(Path.PathSeparator, others) is { Length: > 0 } left ? left : null);
        WorkerProcessHost.RunAsync(static _ => { }).GetAwaiter().GetResult();
    }
}
