using Serve.Routes;

namespace Serve.Runtime;

/// <summary>Who this process is to others. Its addresses are written once, when its call server runs.</summary>
internal sealed class ProcessIdentity(string processId)
{
    private volatile HostProcessAddress _route = new(processId);

    public string ProcessId => processId;

    /// <summary>How others reach this process; without addresses until its call server runs.</summary>
    public HostProcessAddress Route => _route;

    public void SetAddress(HostProcessAddress address) => _route = address;
}
