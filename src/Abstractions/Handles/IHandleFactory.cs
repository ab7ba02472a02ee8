using Serve.Calls;

namespace Serve;

/// <summary>Where call targets for deployments come from: a router inside the platform, the HTTP client outside it.</summary>
public interface IHandleFactory
{
    /// <summary>Finds a deployment.</summary>
    /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
    /// <param name="application">Its application; null when the name is unique, or is the caller's own application's.</param>
    /// <returns>A target that is looked up again with each call: the deployment may come later, move, or be replaced.</returns>
    ICallTarget GetTarget(string deployment, string? application = null);
}
