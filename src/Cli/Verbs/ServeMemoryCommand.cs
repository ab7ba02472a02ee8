using System.CommandLine;
using System.Text.Json;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve memory</c>: what takes memory in a cluster.</summary>
internal static class ServeMemoryCommand
{
    private const int Shown = 100;

    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var json = SharedCommandOptions.Json();
        return new ClusterQueryCommand("memory", "Tell a cluster's objects, the largest first, and the memory of its processes.") { json }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var memory = await client.GetMemoryAsync(cancellationToken);
                if (parsed.GetValue(json))
                    console.Out.WriteLine(JsonSerializer.Serialize(memory, ServeJson.State));
                else
                    Write(console, memory);
                return CliExitCode.Ok;
            });
    }

    internal static void Write(CommandConsole console, ClusterMemory memory)
    {
        if (memory.Objects.IsEmpty)
            console.Out.WriteLine("No objects.");
        else
            ClusterStateTables.Objects(memory.Objects.Take(Shown)).Write(console);
        if (memory.Objects.Length > Shown)
            console.Error.WriteLine($"The largest {Shown} of {memory.Objects.Length}; --json tells all.");
        foreach (var (place, bytes) in memory.ObjectBytes)
            console.Out.WriteLine($"objects in {place}: {ByteSizeFormatter.Bytes(bytes)}");
        console.Out.WriteLine($"process {memory.Pid}: {ByteSizeFormatter.Bytes(memory.ProcessBytes)}");
        foreach (var worker in memory.Workers)
            console.Out.WriteLine($"worker {worker.WorkerId} (pid {worker.Pid}): {ByteSizeFormatter.Bytes(worker.Memory)}");
    }
}
