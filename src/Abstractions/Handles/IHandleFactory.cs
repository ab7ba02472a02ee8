using Serve.Calls;

namespace Serve;

/// <summary>Provides call targets for deployments: a router inside the platform, an HTTP client outside.</summary>
public interface IHandleFactory
{
    /// <summary>Finds a deployment.</summary>
    /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
    /// <param name="application">The application; null if the name is unique, or belongs to the caller's own application.</param>
    /// <returns>A target that each call looks up again: the deployment may be deployed later, moved or replaced.</returns>
    ICallTarget GetTarget(string deployment, string? application = null);
}
