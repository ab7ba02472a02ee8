namespace Serve;

/// <summary>Makes handles of call targets.</summary>
public static class HandleFactoryExtensions
{
    extension(IHandleFactory factory)
    {
        /// <summary>A handle that calls by name.</summary>
        /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
        /// <param name="application">Its application; null when the name is unique, or is the caller's own application's.</param>
        /// <returns>The handle. The deployment is looked up with each call, so it may come later.</returns>
        public DeploymentHandle GetHandle(string deployment, string? application = null) =>
            new(factory.GetTarget(deployment, application), deployment);

        /// <summary>A handle that calls through the deployment's class.</summary>
        /// <typeparam name="TDeployment">The class; the deployment's name is what its attribute says, or the class's own.</typeparam>
        /// <param name="application">Its application; null when the name is unique, or is the caller's own application's.</param>
        /// <returns>The handle. The deployment is looked up with each call, so it may come later.</returns>
        public DeploymentHandle<TDeployment> GetHandle<TDeployment>(string? application = null)
            where TDeployment : class
        {
            var name = DeploymentAttribute.NameOf(typeof(TDeployment));
            return new(factory.GetTarget(name, application), name);
        }
    }
}
