using System.Collections.Concurrent;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Functions of a connection by number, each resolved by its first call. Written by the reading thread.</summary>
internal sealed class WorkerFunctionTable(PeerAssemblyLoader assemblies)
{
    private readonly ConcurrentDictionary<int, Lazy<BoundRemoteFunction>> _functions = new();

    public void Define(Function function) => _functions[function.Number] = new(() => new(RemoteFunctionTable.Resolve(assemblies.FindType(function), function.Method), function.IsAsync));

    /// <exception cref="BadInputException">The function was not found in this worker.</exception>
    public BoundRemoteFunction Find(int number) => _functions[number].Value;
}
