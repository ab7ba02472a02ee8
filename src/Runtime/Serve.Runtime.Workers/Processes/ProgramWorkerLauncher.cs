using System.Collections.Immutable;
using System.Globalization;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Starts the worker processes of a program's own cluster: the same program again, in which a startup hook takes over before its
/// <c>Main</c> runs. Its state is the number of the last cluster.
/// </summary>
internal static class ProgramWorkerLauncher
{
    public const string HookVariable = "DOTNET_STARTUP_HOOKS";

    private static int _lastCluster;

    public static ClusterWorkerProcesses StartWorkers(DriverCluster cluster)
    {
        var options = cluster.Options;
        var logger = new ConsoleWarningLogger<WorkerProcessPool>();
        var folder = options.WorkerLogDirectory is null ? new OwnedTemporaryFolder("serve-workers-") : null;
        var (command, environment) = options.WorkerCommand is { Count: > 0 } given
            ? (given, ImmutableDictionary<string, string>.Empty)
            : ThisProgram();
        var node = new NodeRuntimeOptions
        {
            NodeId = string.Create(CultureInfo.InvariantCulture, $"cluster{Interlocked.Increment(ref _lastCluster)}"),
            WorkerCommand = command,
            WorkersListen = false,
            WorkerEnvironment = environment,
            WorkerLogDirectory = options.WorkerLogDirectory ?? folder!.Path,
        };
        var board = new TopicPublicationStore(new ActivatorServiceProvider());
        var pool = new WorkerProcessPool(node, new ProcessConnectionPool(), board, listener: null, TimeProvider.System, logger);
        return new(cluster, pool, folder, logger);
    }

    /// <exception cref="NotSupportedException">The program cannot be started again this way.</exception>
    private static (IReadOnlyList<string> Command, ImmutableDictionary<string, string> Environment) ThisProgram()
    {
        var hook = typeof(ProgramWorkerLauncher).Assembly.Location;
        if (hook.Length == 0 || !File.Exists(hook) || Environment.ProcessPath is not { } executable)
        {
            throw new NotSupportedException(
                "This program is published as a single file or compiled ahead of time, so worker processes cannot be started from it. Publish it as a folder, or set ClusterOptions.WorkerCommand.");
        }

        return (Path.GetFileNameWithoutExtension(executable) == "dotnet" ? [executable, .. HostArguments()] : [executable], ImmutableDictionary<string, string>.Empty.Add(HookVariable, hook));
    }

    // The arguments of `dotnet app.dll`: the host reports where it found the dependencies; the runtime settings are next to them.
    private static IEnumerable<string> HostArguments()
    {
        var program = System.Reflection.Assembly.GetEntryAssembly()!.Location;
        const string Suffix = ".deps.json";
        var dependencies = ((string?)AppContext.GetData("APP_CONTEXT_DEPS_FILES") ?? "").Split(';').FirstOrDefault(file => file.EndsWith(Suffix, StringComparison.Ordinal));
        if (dependencies is not null && dependencies[..^Suffix.Length] + ".runtimeconfig.json" is var settings && File.Exists(settings))
            return ["exec", "--runtimeconfig", settings, "--depsfile", dependencies, program];
        return [program];
    }
}
