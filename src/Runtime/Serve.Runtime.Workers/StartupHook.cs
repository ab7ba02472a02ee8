using Serve.Runtime;
using Serve.Runtime.Workers.Processes;

/// <summary>
/// Turns a program's process into a worker before its <c>Main</c> runs: .NET calls this in every process whose <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly. .NET requires the name and the missing namespace.
/// </summary>
internal static class StartupHook
{
    /// <summary>Runs the worker; does not return.</summary>
    public static void Initialize()
    {
        // Processes that tasks start must not become workers.
        var mine = typeof(StartupHook).Assembly.Location;
        var others = (Environment.GetEnvironmentVariable(ProgramWorkerLauncher.HookVariable) ?? "").Split(Path.PathSeparator).Where(hook => hook != mine);
        Environment.SetEnvironmentVariable(ProgramWorkerLauncher.HookVariable, string.Join(Path.PathSeparator, others) is { Length: > 0 } left ? left : null);
        WorkerProcessHost.RunAsync(static _ => { }).GetAwaiter().GetResult();
    }
}
