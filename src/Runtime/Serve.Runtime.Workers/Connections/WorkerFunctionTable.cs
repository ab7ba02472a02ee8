using System.Collections.Concurrent;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>The functions that a session has numbered, each found when first called. Written by the session's reader.</summary>
internal sealed class WorkerFunctionTable(PeerAssemblyLoader assemblies)
{
    private readonly ConcurrentDictionary<int, Lazy<BoundRemoteFunction>> _functions = new();

    public void Define(Function function) => _functions[function.Number] = new(() => new(RemoteFunctionTable.Resolve(assemblies.FindType(function), function.Method), function.IsAsync));

    /// <exception cref="BadInputException">It is not to be found here.</exception>
    public BoundRemoteFunction Find(int number) => _functions[number].Value;
}
