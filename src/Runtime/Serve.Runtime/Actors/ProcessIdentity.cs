namespace Serve.Runtime;

/// <summary>Id and addresses of this process. The addresses are written once, when its call server has started.</summary>
public sealed class ProcessIdentity(string processId)
{
    private volatile HostProcessAddress _route = new(processId);

    public string ProcessId => processId;

    /// <summary>The addresses of this process for other processes; empty until its call server has started.</summary>
    public HostProcessAddress Route => _route;

    public void SetAddress(HostProcessAddress address) => _route = address;
}
