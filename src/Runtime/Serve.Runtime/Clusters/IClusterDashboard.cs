namespace Serve.Runtime.Clusters;

/// <summary>The dashboard of a program's cluster. Implemented by the package Serve.Dashboard.Programs, so that the runtime does not depend on a web server.</summary>
public interface IClusterDashboard : IAsyncDisposable
{
    /// <summary>Its address, with a code that signs a browser in.</summary>
    string Url { get; }
}
