using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;

namespace Serve.Replica.Activation;

/// <summary>Creates the call targets of a replica's handles, through the router of the process.</summary>
internal static class HandleTargetFactory
{
    public static ICallTarget Of(IServiceProvider process, string deployment, string application) =>
        (process.GetService<IHandleFactory>() ?? throw new InvalidOperationException(
            $"Cannot create a handle to {application}/{deployment}: this process has no router.")).GetTarget(deployment, application);
}
